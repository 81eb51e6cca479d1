# The program `flnft` alone, run as an ordinary user. Build and run:
#   docker build --tag flnft .
#   docker run --rm --volume "$PWD/runs:/work/runs" flnft run roblox10
# --build-arg TORCH_INDEX=URL takes PyTorch from another index, such as that of its much smaller CPU builds.
FROM python:3.12-slim-bookworm AS build

ARG TORCH_INDEX=""
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /source
RUN python -m venv /opt/flnft
COPY requirements.lock ./
RUN torch="$(grep '^torch==' requirements.lock)" \
    && /opt/flnft/bin/pip install --no-cache-dir ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} "$torch"
COPY pyproject.toml setup.py README.md LICENSE ./
COPY scenarios ./scenarios
COPY flnft_sim ./flnft_sim
RUN /opt/flnft/bin/pip install --no-cache-dir --constraint requirements.lock ".[sweep,viz]"

FROM python:3.12-slim-bookworm

RUN useradd --create-home --uid 1000 flnft \
    && mkdir --parents /work/runs \
    && chown --recursive flnft /work
COPY --from=build /opt/flnft /opt/flnft
ENV PATH="/opt/flnft/bin:$PATH"
USER 1000
WORKDIR /work
ENTRYPOINT ["flnft"]
CMD ["--help"]
