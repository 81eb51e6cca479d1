"""The base station's downlink on the clock: what it sends to several receivers at once shares the band."""

import simpy

from flnft_sim.clock.radio_cell import RadioCell
from flnft_sim.network.links import Links


class Downlink:
    """A process waits for what is sent to it: `yield downlink.send(receiver, bits)`. One at a time a receiver.

    The fluid band of the uplink, the other way round: the sender's power is the base station's, and its sub-bands do
    not disturb one another, because one sender sets them.
    """

    def __init__(self, env: simpy.Environment, links: Links) -> None:
        self._cell = RadioCell(env, links, logs_rates=False)

    @property
    def links(self) -> Links:
        """Of the receivers, by number."""
        return self._cell.links

    def send(self, receiver: int, bits: float) -> simpy.Event:
        """Begin to send; the event succeeds when the last bit is there. `InputError` as for an upload."""
        return self._cell.upload(receiver, bits)

    def is_sending_to(self, receiver: int) -> bool:
        """Whether something is under way to that receiver."""
        return self._cell.is_uploading(receiver)
