"""The pages under Settings, one module for each tab."""
