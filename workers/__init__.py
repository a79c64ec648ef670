"""When things happen: jobs, worker classes, the sweeper and the clocks."""
