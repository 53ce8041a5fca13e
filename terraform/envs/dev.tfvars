# For trying things out: everything can be thrown away.
deletion_protection    = false
point_in_time_recovery = false
backup_days            = 0
daily_budget_usd       = 5
