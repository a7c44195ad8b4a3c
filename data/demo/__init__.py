"""The demo company: real headquarters, invented reps, pipeline and quotas."""
