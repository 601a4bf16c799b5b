# Two images: `--target web` (the default), and `--target worker`, which adds ffmpeg.

FROM python:3.11-slim-bookworm AS build
WORKDIR /app
RUN python -m venv --without-pip /venv
COPY requirements.txt ./
RUN pip --python /venv/bin/python install \
      --no-cache-dir --no-deps --require-hashes --only-binary :all: --requirement requirements.txt
ENV PATH=/venv/bin:$PATH
COPY . ./
RUN python -m compileall -q jobs mediaproc

FROM python:3.11-slim-bookworm AS base
RUN groupadd --gid 10001 mediaproc \
 && useradd --uid 10001 --gid mediaproc --no-create-home --home-dir /app --shell /usr/sbin/nologin mediaproc \
 && install --directory --owner=mediaproc --group=mediaproc /app/media /app/media/sources /app/media/outputs
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /app
USER 10001:10001

FROM base AS worker
USER 0
# Debian serves one version of a package, the newest security fix: a pin would break the build with
# every fix. bubblewrap is the sandbox of MEDIA_SANDBOX, used where the host allows it.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends bubblewrap ffmpeg \
 && rm -rf /var/lib/apt/lists/*
USER 10001:10001
HEALTHCHECK --interval=60s --timeout=20s --start-period=30s --retries=3 \
  CMD ["python", "-m", "mediaproc.healthcheck", "worker"]
CMD ["python", "manage.py", "run_workers"]

FROM base AS web
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=15s --start-period=20s --retries=3 \
  CMD ["python", "-m", "mediaproc.healthcheck", "web"]
# How the web server is run stands in the Procfile alone.
CMD ["sh", "-c", "eval \"$(sed -n 's/^web: //p' Procfile)\""]
