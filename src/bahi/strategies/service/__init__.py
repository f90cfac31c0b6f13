"""What is done with strategies: alerts that become orders, validations of models."""
