"""Any host that speaks the OpenAlgo API."""
