"""What tools/bundle.py makes single files of."""
