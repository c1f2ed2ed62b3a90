# Two images: `serve` runs `srez serve` without TensorFlow, `train` runs `srez train` with it.
#   docker build --target serve -t srez .
# A pip configuration of your own, for a mirror, is given as a secret: --secret id=pip,src=pip.conf

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source
RUN python3 -m venv /srez
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src src
COPY web web

# Left out of it: what only measuring and downloading need, tests, and Gradio's server-side rendering.
FROM build AS build-serve
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    /srez/bin/pip install -c constraints.txt '.[serve]' \
    && /srez/bin/pip uninstall --yes hf-xet networkx scipy \
    && /srez/bin/pip uninstall --yes pip setuptools
RUN find /srez -name tests -type d -prune -exec rm -r {} + \
    && find /srez -name __pycache__ -type d -prune -exec rm -r {} + \
    && rm -r /srez/lib/python3*/site-packages/gradio/templates/node

FROM build AS build-train
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    /srez/bin/pip install -c constraints.txt '.[train]'

FROM python:3.11-slim AS base
ENV PATH=/srez/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin srez \
    && install -d -o srez -g srez /models /state /runs /data

FROM base AS train
COPY --from=build-train /srez /srez
USER 10001
# So that a run goes to /runs/RECIPE if no other place is given.
WORKDIR /
VOLUME ["/runs"]
ENTRYPOINT ["srez", "train"]
CMD ["--help"]

FROM base AS serve
COPY --from=build-serve /srez /srez
USER 10001
WORKDIR /state
VOLUME ["/models", "/state"]
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["python3", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["srez", "serve", "--host", "0.0.0.0", "--state", "/state", "--models", "/models"]
