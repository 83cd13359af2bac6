"""Why a private network is not permitted here, and what the administrator can do about it."""

from __future__ import annotations

from collections.abc import Callable
from errno import EACCES, EINVAL, ENOSPC, ENOSYS, EPERM, EROFS, EUSERS
from typing import Final

from tulpen.errors import TulpenError
from tulpen.link import proc


class NotPermitted(TulpenError):
    """This machine does not let this user have a private network; ``remedy`` is one line."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason, remedy)
        self.reason = reason
        self.add_note(remedy)  # a traceback shows it too


_CONTAINER: Final = "start the container with --cap-add=SYS_ADMIN --cap-add=NET_ADMIN --device=/dev/net/tun"


def read_proc(path: str) -> str:
    """Return what a file under /proc says, stripped; nothing where it cannot be read."""
    try:
        return proc.read(f"/proc/{path}").strip()
    except OSError:
        return ""


def recognise(step: str, errno: int, says: Callable[[str], str] = read_proc) -> NotPermitted | None:
    """Name the case that made ``step`` fail; None: it was no matter of rights."""
    if step == "TUN device" and errno in (EPERM, EACCES):
        return NotPermitted("/dev/net/tun cannot be opened", "chmod 666 /dev/net/tun, or use a veth pair")
    if step.startswith("sysctl"):
        if errno == EROFS:
            return NotPermitted("/proc/sys is read-only here (a container)", "start the container with --privileged")
        return NotPermitted(f"{step} is not for an ordinary user to set", "run as root")
    if errno in (ENOSPC, EUSERS):
        return _exhausted(step, says)
    if errno in (EINVAL, ENOSYS) and "namespace" in step:
        return NotPermitted(f"this kernel has no {step}s", "use a kernel with CONFIG_USER_NS and CONFIG_NET_NS")
    if errno in (EPERM, EACCES):
        return _forbidden(step, says)
    return None


def _exhausted(step: str, says: Callable[[str], str]) -> NotPermitted | None:
    kind = "net" if step == "network namespace" else "user"
    for name in (f"max_{kind}_namespaces", "max_net_namespaces", "max_user_namespaces"):
        if says(f"sys/user/{name}") == "0":
            return NotPermitted(f"user.{name} is 0", f"sudo sysctl user.{name}=15000")
    if "namespace" not in step:
        return None
    return NotPermitted(f"no {kind} namespace is left", f"sudo sysctl user.max_{kind}_namespaces=15000")


def _forbidden(step: str, says: Callable[[str], str]) -> NotPermitted:
    if says("sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
        return NotPermitted(
            "AppArmor forbids user namespaces to ordinary programs",
            "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0, or run as root",
        )
    if says("sys/kernel/unprivileged_userns_clone") == "0":
        return NotPermitted(
            "user namespaces are for root alone here",
            "sudo sysctl kernel.unprivileged_userns_clone=1, or run as root",
        )
    if "Seccomp:\t2" in says("self/status"):
        return NotPermitted("a seccomp filter forbids namespaces (a container)", _CONTAINER)
    return NotPermitted(f"the {step} is forbidden", "run as root, or with CAP_SYS_ADMIN and CAP_NET_ADMIN")
