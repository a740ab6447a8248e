"""A Ray cluster of several nodes on this machine, in a process of its own: one dies when it is told to.

It says, a line of JSON each, where the head listens and, after `kill ID`, that this node is dead; then another comes in
its place, but in the head's. It ends with its standard input. Each node is what a host would be: a raylet with its own
workers.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

LOOPBACK: Final = "127.0.0.1"
HEAD: Final = "head"
AS_OURS: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_worker_niceness": "0",
    "RAY_health_check_initial_delay_ms": "0",
    "RAY_health_check_period_ms": "200",
    "RAY_health_check_failure_threshold": "2",
}


class Nodes:
    """The cluster as a test sees it; `address` is its head's, which has no processor."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.address: str = self._told()

    def kill(self, node_id: str) -> None:
        """Have a node, or the head, die, with all that runs there, at once."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"kill {node_id}\n")
        self._process.stdin.flush()
        assert self._told() == node_id

    def _told(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the cluster has died: see stderr"
        return json.loads(line)


@contextmanager
def nodes(count: int) -> Iterator[Nodes]:
    """So many, of one processor each, and a head."""
    command = [sys.executable, "-m", __name__, str(count)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **AS_OURS}
    )
    with process:
        yield Nodes(process)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(60)


def _serve(count: int) -> None:
    from ray.cluster_utils import Cluster

    def say(what: str) -> None:
        said.write(json.dumps(what) + "\n")
        said.flush()

    said = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Ray prints now and then
    common = {"node_ip_address": LOOPBACK, "include_dashboard": False}
    alone = {"num_cpus": 0, "include_log_monitor": False, "no_monitor": True}  # nobody scales it, or reads its logs
    cluster = Cluster(initialize_head=True, head_node_args={**common, **alone})
    there = [cluster.add_node(wait=False, num_cpus=1, **common) for _ in range(count)]
    cluster.wait_for_nodes()
    say(cluster.address)
    for line in sys.stdin:
        node_id = line.split()[1]
        if node_id == HEAD:
            cluster.remove_node(cluster.head_node, allow_graceful=False)
            say(HEAD)
            continue
        dead = next(node for node in there if node.node_id == node_id)
        cluster.remove_node(dead, allow_graceful=False)
        there.remove(dead)
        say(node_id)
        there.append(cluster.add_node(num_cpus=1, **common))
    for node in cluster.list_all_nodes()[::-1]:
        cluster.remove_node(node, allow_graceful=False)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
