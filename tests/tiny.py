"""The smallest real runs: a few steps on small generated images, on one thread."""

TINY = [
    "head=fcn",
    "head.width=16",
    "dataset.size=64",
    "dataset.cue_distance=0",
    "dataset.train_images=16",
    "dataset.val_images=5",
    "schedule.length=6 steps",
    "schedule.batch_size=4",
    "evaluation.batch_size=2",
    "evaluation.panels=1",
    "runtime.workers=0",
    "runtime.threads=1",
    "runtime.progress=false",
    "runtime.log_every_steps=2",
    "tracking=none",
]
TINIEST = [
    *TINY,
    "backbone._target_=tests.tiny_network.Small",
    "head.logits_std=1",
    "schedule.batch_norm.backbone_momentum=1",
    "schedule.batch_norm.head_momentum=1",
]
"""The same with a backbone of a few thousand parameters, for what does not depend on the network.

The logits are drawn widely and the statistics are those of the last batch, so that after six steps no image is
predicted to be all background.
"""
