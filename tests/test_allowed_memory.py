"""The default of --max-memory: a quarter of what the machine, or the control group, allows."""

import pytest

from mcrouter.system.memory_limit import default_bound

MACHINE = {"proc/meminfo": "MemTotal:        8388608 kB\nMemFree: 1 kB\n"}
GB = 1 << 30


def made(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return default_bound(str(folder / "proc"), str(folder / "cgroup"))


@pytest.mark.parametrize(
    "files, expected",
    [
        ({}, 2 * GB),
        ({"proc/self/cgroup": "0::/a/b\n", "cgroup/a/b/memory.max": "max\n"}, 2 * GB),
        ({"proc/self/cgroup": "0::/a/b\n", "cgroup/a/b/memory.max": "1073741824\n"}, GB // 4),
        ({"proc/self/cgroup": "0::/a/b\n", "cgroup/a/memory.max": "1073741824\n"}, GB // 4),
        ({"proc/self/cgroup": "0::/machine/path\n", "cgroup/memory.max": "1073741824\n"}, GB // 4),
        ({"proc/self/cgroup": "0::/\n", "cgroup/memory.max": "99999999999999\n"}, 2 * GB),
        (
            {
                "proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/docker/1\n0::/x\n",
                "cgroup/memory/docker/1/memory.limit_in_bytes": "536870912\n",
            },
            GB // 8,
        ),
        ({"proc/self/cgroup": "nonsense\n\n::\n"}, 2 * GB),
    ],
)
def test_what_allows_least_counts(tmp_path, files, expected):
    assert made(tmp_path, {**MACHINE, **files}) == expected


def test_where_nothing_is_known_there_is_no_bound(tmp_path):
    assert made(tmp_path, {}) == 0
