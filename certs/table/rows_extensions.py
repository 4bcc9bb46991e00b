def add(table):
    pass
