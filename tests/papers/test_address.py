from repro.papers import Address


def test_an_address_is_written_as_tables_write_it():
    assert str(Address("vortex/table1", "Module A (5 x 5)", "Mean IoU")) == "vortex/table1: Module A (5 x 5) @ Mean IoU"


def test_addresses_have_an_order():
    assert sorted([Address("b", "1", "x"), Address("a", "2", "x"), Address("a", "1", "y")])[0] == Address("a", "1", "y")
