"""The smallest image that runs a shell."""
import tarfile

APPLETS = ("sh", "sleep", "echo", "cat", "kill", "true", "false")


def make_rootfs(path):
    """A root file system of one static busybox."""
    with tarfile.open(path, "w") as archive:
        for folder in ("bin", "tmp", "etc"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        archive.add("/bin/busybox", "bin/busybox")
        for applet in APPLETS:
            entry = tarfile.TarInfo("bin/" + applet)
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(entry)
