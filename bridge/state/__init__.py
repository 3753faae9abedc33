"""What must outlive the process: curves, sites' names, readings, budgets. One small file, few writes: it lies on an SD card."""
