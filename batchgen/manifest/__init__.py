"""From a YAML file to jobs: parsed, checked, frozen; every problem says where. Sends nothing."""
