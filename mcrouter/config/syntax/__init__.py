"""The two languages of configs, down to trees with positions.

    text.py     bytes -> characters; escapes
    tree.py     nodes with their line and column
    scan.py, flow.py, yaml.py    the YAML subset -> a tree
    json.py     JSON with comments -> a tree
    keys.py     the table of a config's keys
"""
