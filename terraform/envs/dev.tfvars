# For trying things out: everything can be thrown away.
deletion_protection    = false
point_in_time_recovery = false
backup_days            = 0
daily_budget_usd       = 5
gemma                  = false # the small one on a CPU exports no metrics of vLLM's, so silence means nothing
