import repro.nn


def test_public_names() -> None:
    """Configs and their identities hold these paths; a name taken out or renamed breaks every recorded run."""
    assert repro.nn.__all__ == [
        "ASPP",
        "FCN",
        "GALD",
        "PSP",
        "ASPPAggregation",
        "ASPPContext",
        "ASPPPlus",
        "Aggregation",
        "AuxiliaryHead",
        "CGNLAggregation",
        "ConvolutionAggregation",
        "DCNv2",
        "DSNet",
        "DynamicFilter",
        "DynamicSampling",
        "Head",
        "HeadPart",
        "JointClassifier",
        "LDv1",
        "LDv2",
        "LocalDistribution",
        "ModuleA",
        "NonLocalAggregation",
        "PSPAggregation",
        "ResNet",
        "Segmenter",
        "Vortex",
        "draw_convolutions",
        "draw_for_good",
        "from_torchvision",
        "load_backbone_weights",
        "load_network_weights",
        "load_published_weights",
    ]
    assert all(hasattr(repro.nn, name) for name in repro.nn.__all__)
