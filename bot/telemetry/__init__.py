"""What Tandem tells its operators: logs, metrics, traces; wrapped around the ports, imported by nobody inside."""
