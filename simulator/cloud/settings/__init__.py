"""What a local cloud can be told: what AWS leaves open (`service`, `http`), and all of one cloud (`cloud`).

What its parts hold themselves to stands with them: `simulator.cloud.jobs.settings`, `simulator.cloud.mqtt.limits`.
"""
