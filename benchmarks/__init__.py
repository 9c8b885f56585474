"""What a call through this library costs, against plain aiohttp. ``python -m benchmarks`` measures it."""
