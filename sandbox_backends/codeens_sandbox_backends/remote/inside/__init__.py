"""What runs inside a service's sandbox: standard library only, Python 3.9 syntax. It is sent there with each bundle."""
