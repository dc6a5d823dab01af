"""What is learned beside Tianshou: returns and training times."""
