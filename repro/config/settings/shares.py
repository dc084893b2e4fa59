"""How the images of one batch lie on processes and passes, so that every batch-norm statistic has its images."""

from dataclasses import dataclass

from repro.config.settings.schedule import FrozenIn, Schedule
from repro.errors import ConfigError


@dataclass(frozen=True)
class Shares:
    """A batch on some processes, each of which has images that follow one another.

    Attributes:
        batch_size: images of one optimiser step.
        samples: images behind one batch-norm statistic.
        processes: how many processes share them.
        is_frozen: whether no batch norm of the network takes statistics, so that shares may be uneven.
    """

    batch_size: int
    samples: int
    processes: int = 1
    is_frozen: bool = False

    @classmethod
    def of(cls, schedule: Schedule, processes: int = 1) -> "Shares":
        """How so many processes share the batches of a schedule.

        Raises:
            ConfigError: they cannot share the batch; names the nearest numbers of processes that can.
        """
        norm = schedule.batch_norm
        frozen = norm.frozen and norm.frozen_in is FrozenIn.network
        shares = cls(schedule.batch_size, schedule.micro_batch, processes, frozen)
        shares._check()
        return shares

    def share(self, rank: int) -> range:
        """The places in the batch of the images of one process; the first ones have one more where shares differ."""
        least, more = divmod(self.batch_size, self.processes)
        start = rank * least + min(rank, more)
        return range(start, start + least + (rank < more))

    @property
    def pass_images(self) -> int:
        """Images in one forward pass of a process; the last pass may have fewer where nothing takes statistics."""
        return min(self.samples, len(self.share(0)))

    @property
    def processes_per_statistic(self) -> int:
        """Neighbouring processes whose images are behind one batch-norm statistic."""
        return 1 if self.is_frozen else max(1, self.samples * self.processes // self.batch_size)

    def is_whole_on_a_process(self, images: int) -> bool:
        """Whether every so many images, from the first one on, lie on one process and in one pass of it."""
        shares = [self.share(rank) for rank in range(self.processes)]
        apart = all(share.start % images == 0 and len(share) % images == 0 for share in shares)
        return images <= self.pass_images and self.pass_images % images == 0 and apart

    def fits(self, processes: int) -> bool:
        """Whether so many processes can share the batch."""
        if self.is_frozen or processes == 1:
            return processes <= self.batch_size
        share, rest = divmod(self.batch_size, processes)
        return share > 0 and rest == 0 and (share % self.samples == 0 or self.samples % share == 0)

    def _check(self) -> None:
        number, batch = self.processes, self.batch_size
        if self.fits(number):
            return
        fitting = [count for count in range(1, batch + 1) if self.fits(count)]
        near = [max(count for count in fitting if count < number), *[count for count in fitting if count > number][:1]]
        remedy = f"; give {' or '.join(map(str, near))}"
        share, rest = divmod(batch, number)
        if not share:
            raise ConfigError(f"{number} processes cannot share schedule.batch_size={batch}{remedy}")
        if rest:
            raise ConfigError(
                f"{number} processes cannot share schedule.batch_size={batch} evenly, as batch norm that takes "
                f"statistics needs{remedy}"
            )
        raise ConfigError(
            f"{number} processes have {share} images each of schedule.batch_size={batch}, into which the "
            f"{self.samples} of schedule.batch_norm.samples do not go, nor the other way round{remedy}"
        )
