"""Compare dose schedules: the job."""
