"""What kind of SLURM a test wants -> the text of its configuration files."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Flavour:
    """A cluster with partitions `gpu` (the default one), `low` (preempted by `gpu`) and `short` (two minutes).

    Attributes:
        nodes: daemons of compute nodes, all on this machine; they are called node1, node2, ...
        cpus: that each node claims; may be more than there are.
        gpus: that each node claims; they are copies of /dev/null, and CUDA_VISIBLE_DEVICES is set for jobs.
        accounting: whether sacct works; costs ten seconds.
        preempts_by_qos: whether qos `high` preempts `normal` in all partitions, which needs accounting.
        grace_seconds: between the notice of a preemption and the kill.
        user_signal: whether the notice is the signal that the job asked for, not SIGTERM.
        kill_wait_seconds: between SIGTERM and SIGKILL.
        requeue: whether jobs are requeued unless they say otherwise.
        requeue_wait_seconds: before a requeued job may start; SLURM has 120 for it and for the life of a credential.
        max_array_size: largest index of an array, plus one.
        max_jobs: that may be in the queue.
        max_submit: jobs that a user may have in the queue; needs accounting.
        min_job_age_seconds: for which the controller remembers an ended job.
        node_timeout_seconds: of silence until a node counts as down.
    """

    nodes: int = 1
    cpus: int = 2
    gpus: int = 0
    accounting: bool = False
    preempts_by_qos: bool = False
    grace_seconds: int = 0
    user_signal: bool = False
    kill_wait_seconds: int = 10
    requeue: bool = True
    requeue_wait_seconds: int = 120
    max_array_size: int = 1001
    max_jobs: int = 10_000
    max_submit: int | None = None
    min_job_age_seconds: int = 300
    node_timeout_seconds: int = 20

    def __post_init__(self) -> None:
        if not self.accounting and (self.max_submit is not None or self.preempts_by_qos):
            raise ValueError("limits of users and qos are kept by the accounting; add accounting=True")

    @property
    def node_names(self) -> list[str]:
        """Names of the nodes."""
        return [f"node{number + 1}" for number in range(self.nodes)]

    @property
    def ports(self) -> list[str]:
        """The daemons that need a port."""
        return ["slurmctld", *(["slurmdbd", "mariadbd"] if self.accounting else []), *self.node_names]

    def slurm_conf(self, folder: Path, ports: Mapping[str, int]) -> str:
        """The text of slurm.conf; every path lies below the folder."""
        host = socket.gethostname().partition(".")[0]
        nodes = "\n".join(
            f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[name]} CPUs={self.cpus} "
            f"RealMemory={memory_megabytes()} {f'Gres=gpu:{self.gpus} ' if self.gpus else ''}State=UNKNOWN"
            for name in self.node_names
        )
        off, low = (
            ("", "")
            if self.preempts_by_qos
            else (" PreemptMode=OFF", f" PreemptMode=REQUEUE GraceTime={self.grace_seconds}")
        )
        signal = ",preempt_send_user_signal" if self.user_signal else ""
        return f"""\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports["slurmctld"]}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire={self.requeue_wait_seconds}
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/%n.log
SlurmctldParameters=enable_configless{signal}
SlurmdParameters=config_overrides
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,bf_interval=5,max_array_tasks={self.max_array_size}
PreemptType=preempt/{"qos" if self.preempts_by_qos else "partition_prio"}
PreemptMode=REQUEUE
ReturnToService=2
JobRequeue={int(self.requeue)}
KillWait={self.kill_wait_seconds}
MinJobAge={self.min_job_age_seconds}
SlurmdTimeout={self.node_timeout_seconds}
MaxArraySize={self.max_array_size}
MaxJobCount={self.max_jobs}
{"GresTypes=gpu" if self.gpus else ""}
{self._storage(folder, ports)}
{nodes}
PartitionName=gpu Nodes=ALL Default=YES State=UP MaxTime=INFINITE PriorityTier=10{off}
PartitionName=low Nodes=ALL State=UP MaxTime=INFINITE PriorityTier=1{low}
PartitionName=short Nodes=ALL State=UP MaxTime=2 DefaultTime=1 PriorityTier=10{off}
"""

    def gres_conf(self, folder: Path) -> str:
        """The text of gres.conf: the devices that stand for GPUs."""
        return "".join(f"Name=gpu File={folder}/gpu/gpu{number}\n" for number in range(self.gpus))

    def _storage(self, folder: Path, ports: Mapping[str, int]) -> str:
        if not self.accounting:
            return "AccountingStorageType=accounting_storage/none"
        return f"""\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort={ports["slurmdbd"]}
AccountingStoragePass={folder}/munge/socket
AccountingStorageEnforce=associations,limits,qos
{"AccountingStorageTRES=gres/gpu" if self.gpus else ""}"""

    def slurmdbd_conf(self, folder: Path, ports: Mapping[str, int]) -> str:
        """The text of slurmdbd.conf."""
        return f"""\
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
DbdHost=localhost
DbdPort={ports["slurmdbd"]}
SlurmUser=root
PidFile={folder}/run/slurmdbd.pid
LogFile={folder}/log/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={ports["mariadbd"]}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct_db
"""


def memory_megabytes() -> int:
    """What a node claims: most of the machine's memory."""
    text = Path("/proc/meminfo").read_text(encoding="ascii")
    total_kilobytes = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("MemTotal"))
    return total_kilobytes * 9 // 10 // 1024
