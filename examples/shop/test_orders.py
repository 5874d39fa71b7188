from orders import repeat_customers


def test_a_single_order_is_not_coming_back():
    assert repeat_customers([("ann", 5.0), ("bob", 2.5)]) == []


def test_customers_stand_in_the_order_of_their_first_order():
    orders = [("bob", 1.0), ("ann", 2.0), ("ann", 2.0), ("bob", 1.0)]
    assert repeat_customers(orders) == ["bob", "ann"]


def test_who_spent_too_little_is_left_out():
    assert repeat_customers([("ann", 1.0), ("ann", 1.0), ("bob", 9.0), ("bob", 9.0)], minimum_spend=10.0) == ["bob"]


def test_a_busy_month():
    orders = [(f"customer {(number * 7919) % 400}", 1.5) for number in range(700)]
    assert len(repeat_customers(orders)) == 300
