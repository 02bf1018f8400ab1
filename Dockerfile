FROM python:3.13-slim
COPY mcrouter /app/mcrouter
WORKDIR /app
USER nobody
EXPOSE 8080 9090
ENTRYPOINT ["python3", "-m", "mcrouter"]
