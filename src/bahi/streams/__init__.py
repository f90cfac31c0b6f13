"""What brokers tell us by themselves: connections, messages, failover."""
