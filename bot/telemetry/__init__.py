"""What Tandem tells its operators: logs here; wrapped around the ports, imported by nobody inside."""
