"""A device that is lost for work once it has lost a job: it neither asks for the next one nor hears of it.

The agent of aws/amazon-freertos issue 77 kept the cancelled job's name and refused the next; one whose handler hung did
the same (awslabs/aws-iot-device-client, issue 488). It helps to connect anew.
"""

from simulator.devices.models.mutants.resting import resting_after

step = resting_after(frozenset({"recovered", "kept"}), None)
