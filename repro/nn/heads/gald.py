"""The head that puts a local distribution behind a global aggregation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor

from repro.nn.context.parts import Aggregation, LocalDistribution
from repro.nn.heads.base import Classifier, Head
from repro.nn.layers import ConvBNReLU, DropoutKind

Arrangement = Literal["gald", "ldga", "parallel"]
MakeAggregation = Callable[[int], Aggregation]
MakeDistribution = Callable[[int, int | None], LocalDistribution]


class GALD(Head):
    """Global aggregation, then local distribution, then logits from the result beside the backbone's map.

    Source: GALD, section III, equations 1 to 3 and 6 to 8, Figure 6; every layer behind equation 3 is that of GALD's
    public code. Either part may be missing (Tables I(a) and I(b)). `ldga` and `parallel` are those of Table I(c): the
    local distribution reads the backbone's map as it does alone, and the aggregation reads its result, or stands
    beside it.
    Differs: The public code has a further 3x3 convolution between result and concatenation, which equation 3 does not;
    see `transform`.

    Args:
        channels, num_classes, source: See `Head`.
        ga: Makes the global aggregation from its number of input channels, such as `CGNLAggregation`; `None` for none.
        ld: Makes the local distribution from the channels of the backbone's map and those of the context, which are
            `None` if it reads none, such as `LDv1`; `None` for none.
        arrangement: `gald`, `ldga` (local distribution first) or `parallel` (both outputs concatenated).
        transform: A 3x3 convolution of `width` with BN and ReLU behind the result.
        concatenate_original: Sets the backbone's map beside the result.
        width: Channels of the last 3x3 convolution.
        dropout, dropout_kind, logits_std: See `Classifier`.

    Raises:
        ValueError: The arrangement is unknown, or a part is missing that it needs.
    """

    reference_output_stride = 8

    def __init__(
        self,
        channels: Mapping[str, int],
        num_classes: int,
        *,
        source: str,
        ga: MakeAggregation | None,
        ld: MakeDistribution | None,
        arrangement: Arrangement,
        transform: bool,
        concatenate_original: bool,
        width: int,
        dropout: float,
        dropout_kind: DropoutKind,
        logits_std: float | None,
    ) -> None:
        super().__init__(channels, num_classes, source=source)
        _check_parts(arrangement, ga is not None, ld is not None)
        self.arrangement = arrangement
        self.ga, self.ld = self._parts(ga, ld)
        result = self._result_channels()
        self.transform = ConvBNReLU(result, width, 3) if transform else None
        self.concatenate_original = concatenate_original
        joined = (width if transform else result) + (self.in_channels if concatenate_original else 0)
        self.fusion = ConvBNReLU(joined, width, 3)
        self.classifier = Classifier(
            width, num_classes, dropout=dropout, dropout_kind=dropout_kind, logits_std=logits_std
        )

    def _parts(
        self, ga: MakeAggregation | None, ld: MakeDistribution | None
    ) -> tuple[Aggregation | None, LocalDistribution | None]:
        """Both parts, each made for what it reads in this arrangement."""
        if ga is None or ld is None:
            return ga and ga(self.in_channels), ld and ld(self.in_channels, None)
        if self.arrangement == "gald":
            aggregation = ga(self.in_channels)
            return aggregation, ld(self.in_channels, aggregation.out_channels)
        distribution = ld(self.in_channels, None)
        return ga(distribution.out_channels if self.arrangement == "ldga" else self.in_channels), distribution

    def _result_channels(self) -> int:
        channels = {"ga": self.ga.out_channels if self.ga else 0, "ld": self.ld.out_channels if self.ld else 0}
        if self.arrangement == "parallel":
            return sum(channels.values())
        return channels["ga"] if self.ld is None or self.arrangement == "ldga" else channels["ld"]

    def forward(self, features: dict[str, Tensor]) -> Tensor:
        """Maps backbone outputs to logits `[B, num_classes, h, w]` at the size of the map read."""
        original = features[self.source]
        result = self._result(original)
        if self.transform is not None:
            result = self.transform(result)
        joined = torch.cat([original, result], 1) if self.concatenate_original else result
        logits: Tensor = self.classifier(self.fusion(joined))
        return logits

    def _result(self, original: Tensor) -> Tensor:
        result: Tensor
        if self.ga is None or self.ld is None:
            alone = self.ga or self.ld
            assert alone is not None
            result = alone(original)
        elif self.arrangement == "gald":
            result = self.ld(original, self.ga(original))
        elif self.arrangement == "ldga":
            result = self.ga(self.ld(original))
        else:
            result = torch.cat([self.ga(original), self.ld(original)], 1)
        return result


def _check_parts(arrangement: str, aggregates: bool, distributes: bool) -> None:
    if arrangement not in ("gald", "ldga", "parallel"):
        raise ValueError(f"arrangement must be gald, ldga or parallel, not {arrangement!r}")
    if not aggregates and not distributes:
        raise ValueError("neither ga nor ld is given; give one of them, or use head=fcn, which has neither")
    if arrangement != "gald" and not (aggregates and distributes):
        raise ValueError(
            f"arrangement {arrangement} needs both ga and ld, and {'ga' if distributes else 'ld'} is none; give it, "
            "or use arrangement gald, which takes either alone"
        )
