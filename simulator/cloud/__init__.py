"""A local AWS IoT that real clients use unmodified.

jobs registry            what there is, and what becomes of it: no I/O
mqtt device_api api s3   what is asked, over MQTT and HTTP, and what comes of it
access notices           who may, and what somebody did not get
store settings fidelity  what is kept, what can be set, what is claimed of AWS
core tenant listeners local serving    put together: a service, an account, its ports, the cloud, the process
"""
