"""ffmpeg and nothing of jobs: what can be made, the fence around a child, its supervision."""
