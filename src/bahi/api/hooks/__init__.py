"""What others post by themselves: brokers, and alerts that become orders."""
