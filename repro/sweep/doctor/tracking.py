"""Whether MLflow can be reached from here, or how runs come into it otherwise."""

from collections.abc import Iterator

from repro.config.settings import TrackingKind, TrackingSettings
from repro.errors import ConfigError
from repro.store.outputs import Outputs
from repro.sweep.doctor.finding import Finding, blocks, fine, mind
from repro.sweep.doctor.probe import unreachable
from repro.track.tracker import tracking_uri

LATER = "jobs keep their journal all the same, and python -m repro.track shows them afterwards, or while they run"


def tracking(settings: TrackingSettings, outputs: Outputs, *, on_cluster: bool) -> Iterator[Finding]:
    """Whether what jobs track arrives.

    Args:
        on_cluster: whether jobs run under SLURM, where they leave a database in a file alone.
    """
    if settings.kind is TrackingKind.none:
        yield fine("tracking", f"is switched off (tracking=none); {LATER}")
        return
    try:
        address = tracking_uri(settings.uri, outputs)
    except ConfigError as error:
        yield blocks("tracking", str(error))
        return
    if address.startswith("http"):
        trouble = unreachable(address)
        if trouble is None:
            yield fine(
                "tracking", f"{address} answers here; whether it does on the nodes tells a probe job (submit=true)"
            )
        else:
            yield mind("tracking", f"{address} does not answer here ({trouble}); {LATER}")
    elif address.startswith("sqlite") and on_cluster:
        yield fine("tracking", f"jobs leave {address} alone, since many writers on a shared disk would break it; "
                   "python -m repro.track fills it, while they run or afterwards")  # fmt: skip
    else:
        yield fine("tracking", f"goes to {address}")
