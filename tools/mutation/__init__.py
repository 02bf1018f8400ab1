"""The project's mutation run, run as tools/mutants.py; nothing but the standard library, and pytest for the tests.

    tables.py       which folders are mutated, and which tests look at each: the only place that names folders
    operators.py    the source of a file -> the small changes that can be made to it
    equivalent.py   the list of changes that change nothing a test could see, and why
    equivalent.txt  that list
    workspace.py    a scratch copy of the repository: one file changed, tests run in it with a time limit
    plugin.py       loaded by pytest in the copy: records which test reaches which line; runs chosen tests in order
    reach.py        that record, kept between runs; which tests are asked about a change
    run.py          a sample: each change applied, tested, and judged

A change is judged by the tests that reach its line, the quickest of the likeliest folder first, and then by those that
run the program in processes of their own. Whatever fails, hangs or cannot be imported has noticed it.
"""
