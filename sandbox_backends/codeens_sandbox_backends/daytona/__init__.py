"""Workers in sandboxes of Daytona, a service on the network."""
