"""What the rows add up to: statistics of ended jobs, and estimates for new ones. Changes no job."""
