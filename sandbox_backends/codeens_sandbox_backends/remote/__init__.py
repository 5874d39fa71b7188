"""What backends share whose players run in sandboxes of a service on the network."""
