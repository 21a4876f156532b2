"""When it is time to say again how far something is."""

from plugin.pace import EVERY, SELDOM, Pace


class Times:
    """A clock and a homeserver, both set by hand."""

    now = 100.0
    slow = False

    def pace(self) -> Pace:
        return Pace(lambda: self.now, lambda: self.slow)


def test_it_is_time_at_first_and_then_every_few_seconds() -> None:
    times = Times()
    pace = times.pace()
    assert [pace.next(), pace.next()] == [True, False]
    times.now += EVERY
    assert [pace.next(), pace.next()] == [True, False]


def test_while_the_homeserver_slows_us_down_it_is_seldom_time() -> None:
    times = Times()
    pace = times.pace()
    assert pace.next()
    times.now, times.slow = times.now + EVERY, True
    assert not pace.next()
    times.now += SELDOM
    assert pace.next()


def test_what_is_put_off_waits() -> None:
    times = Times()
    pace = times.pace()
    pace.put_off(10)
    times.now += 9
    assert not pace.next()
    times.now += 1
    assert pace.next()
