"""What listens beside the MQTT ports: the API port and the data port, and what they serve besides the APIs.

`http_ports` opens both, `websockets` is MQTT over WebSocket, `file_server` what presigned URLs lead to, and
`http_messages` the broker as HTTP sees it.
"""
