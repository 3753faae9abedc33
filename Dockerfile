# The bridge in a container: amd64, arm64 and armv7 from ready-made wheels, nothing is compiled.
# Its configuration is /etc/kwh2mqtt/bridge.toml, its state /var/lib/kwh2mqtt; the root may be read-only. compose.yaml shows both.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
COPY requirements.lock pyproject.toml README.md LICENSE /source/
COPY bridge /source/bridge
RUN ["python3", "-m", "venv", "/opt/kwh2mqtt"]
RUN ["/opt/kwh2mqtt/bin/python", "-m", "pip", "install", "--no-cache-dir", "--require-hashes", "--only-binary", ":all:", "--requirement", "/source/requirements.lock"]
RUN ["/opt/kwh2mqtt/bin/python", "-m", "pip", "install", "--no-cache-dir", "--no-deps", "--no-build-isolation", "/source"]
RUN ["mkdir", "/source/state"]

FROM ${BASE}
COPY --from=build /opt/kwh2mqtt /opt/kwh2mqtt
COPY --from=build --chown=10001:10001 /source/state /var/lib/kwh2mqtt
ENV PATH=/opt/kwh2mqtt/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    STATE_DIRECTORY=/var/lib/kwh2mqtt
USER 10001:10001
VOLUME /var/lib/kwh2mqtt
STOPSIGNAL SIGTERM
# Tied to the same progress as systemd's watchdog: `bridge/health` grows old where a part is stuck.
HEALTHCHECK --interval=60s --timeout=15s --start-period=90s --retries=3 CMD ["kwh2mqtt", "health"]
ENTRYPOINT ["kwh2mqtt"]
CMD ["run"]
