"""What backends share whose workers run in sandboxes of a service on the network."""
