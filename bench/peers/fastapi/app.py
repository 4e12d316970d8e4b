"""Task lists with FastAPI and SQLAlchemy's asyncio extension.

https://fastapi.tiangolo.com/tutorial/sql-databases/
https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html
"""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import DateTime, String, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

DRIVERS = {"postgresql": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}
kind, rest = os.environ["DATABASE_URL"].split(":", 1)
engine = create_async_engine(f"{DRIVERS[kind]}:{rest}")
async_session = async_sessionmaker(engine, expire_on_commit=False)


def now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    pass


class TaskList(Base):
    __tablename__ = "task_list"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, onupdate=now)
    version: Mapped[int] = mapped_column(default=1)


class TaskListIn(BaseModel):
    name: str = Field(min_length=1, max_length=255)


class TaskListOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    created_at: datetime
    updated_at: datetime
    version: int


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


async def get_session() -> AsyncIterator[AsyncSession]:
    async with async_session() as session:
        yield session


app = FastAPI(lifespan=lifespan)
Session = Annotated[AsyncSession, Depends(get_session)]


@app.get("/lists", response_model=list[TaskListOut])
async def index(
    session: Session, offset: int = 0, limit: Annotated[int, Query(le=100)] = 100
) -> Sequence[TaskList]:
    rows = await session.scalars(select(TaskList).order_by(TaskList.id).offset(offset).limit(limit))
    return rows.all()


@app.post("/lists", response_model=TaskListOut, status_code=201)
async def create(body: TaskListIn, session: Session) -> TaskList:
    task_list = TaskList(name=body.name)
    session.add(task_list)
    await session.commit()
    return task_list


@app.get("/lists/{list_id}", response_model=TaskListOut)
async def read(list_id: int, session: Session) -> TaskList:
    task_list = await session.get(TaskList, list_id)
    if task_list is None:
        raise HTTPException(404)
    return task_list


@app.put("/lists/{list_id}", response_model=TaskListOut)
async def update(list_id: int, body: TaskListIn, session: Session) -> TaskList:
    task_list = await read(list_id, session)
    task_list.name = body.name
    await session.commit()
    return task_list
