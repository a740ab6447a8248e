"""ghostjob's plug-in for pytest: a local AWS IoT, scenarios, and a device of your own under test.

    import pytest


    @pytest.mark.ghostjob_cells("quick")
    def test_a_deleted_job_is_survived(ghostjob_cell):
        ghostjob_cell.play()

with `ghostjob_command = ./agent --host {host} --port {mqtt_port} --thing {thing}` in pytest's configuration. Each cell
of the matrix is a test. It loads in every repository, whatever packages that has, so nothing of ghostjob's is imported
before a test wants it.
"""

from pytest_ghostjob._device import DeviceUnderTest

__all__ = ["DeviceUnderTest"]
