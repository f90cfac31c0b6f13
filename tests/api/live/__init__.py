"""Tests of what is pushed."""
