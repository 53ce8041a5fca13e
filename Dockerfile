# The bot's image: packages by hash, compiled, and bot/ beside them, on a base that has neither a shell nor pip.
# `make pin` writes the digest of a base behind its tag; `make deploy` refuses a base without one.
FROM docker.io/library/python:3.13-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements/run.txt scripts/sbom.py /src/
RUN pip install --quiet --require-hashes --only-binary :all: --no-compile --target /app/lib -r run.txt
RUN rm -rf /app/lib/bin
RUN python sbom.py /app/lib /app/sbom.cdx.json
COPY LICENSE manifest.yaml /app/
COPY bot /app/bot
# The root is read-only where it runs, so what Python would write at its first start is written here, without dates.
RUN python -m compileall -q -j 0 --invalidation-mode unchecked-hash /app/lib /app/bot

# Debian's Python of the same minor version, its C libraries and certificates, and nothing else.
FROM gcr.io/distroless/python3-debian13:nonroot
COPY --from=build /app /app
WORKDIR /app
ENV PYTHONPATH=/app:/app/lib PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532:65532
EXPOSE 8080 9464
ENTRYPOINT ["/usr/bin/python3", "-m", "bot"]
CMD ["serve"]
