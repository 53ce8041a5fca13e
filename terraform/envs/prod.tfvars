# For people who rely on it: nothing is deleted by accident, and threads can be brought back.
deletion_protection    = true
point_in_time_recovery = true
backup_days            = 14
daily_budget_usd       = 50
