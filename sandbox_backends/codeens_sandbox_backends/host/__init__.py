"""What backends share that run workers on this machine, or describe this machine to another one."""
